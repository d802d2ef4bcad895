"""`sefa` and `python -m sefa_cli`: signals are handled before anything slow is imported."""

from sefa_cli import interrupts


def main() -> None:
    """Run the command line."""
    interrupts.install()
    from sefa_cli.cli import main

    main()


if __name__ == "__main__":
    main()

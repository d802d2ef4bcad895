"""Pictures that people look at: 8-bit pictures and PNG, sheets with headings, films."""

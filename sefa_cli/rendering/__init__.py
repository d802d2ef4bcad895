"""Pictures for people: 8-bit images, PNG files, sheets with headings, films and reports."""

"""What an analysis becomes: charts, tables, a report of Markdown, HTML and CSV."""

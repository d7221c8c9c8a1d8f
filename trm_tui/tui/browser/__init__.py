"""The session browser: records as rows, the filter language, sorting, reading, comparing, exporting."""

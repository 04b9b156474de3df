"""The sections of the report, one file each: tables and figures of public functions, put into blocks."""

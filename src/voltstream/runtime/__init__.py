"""F2: epochs. Sessions, statements, ingest and delivery around one writer per database."""

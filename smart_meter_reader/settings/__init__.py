"""The settings: from config.py through merged tables to frozen types; how drivers declare theirs."""

"""From a directory's files to raw tables: config.py run, slips in TOML told, and who could change them."""

"""`diagnose`: what a bug report needs, and nothing that names a household."""

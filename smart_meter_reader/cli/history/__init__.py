"""`history`: what the meters have told, shown, exported, imported, kept safe and corrected."""

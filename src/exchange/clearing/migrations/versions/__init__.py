"""One file per version; each says what it changes."""

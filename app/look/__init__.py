"""How the page looks and what it says: words, notes, theme, style sheet, scripts."""

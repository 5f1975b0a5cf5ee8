"""The embedded browser. Everything that imports QtWebEngine lives in this package, and only the order window's own process
imports it: the tray never does."""

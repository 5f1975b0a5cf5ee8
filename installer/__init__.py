"""Builds what is put on PCs: the bundle, the packages and the papers that go with them. Run it with `python -m installer.build`."""

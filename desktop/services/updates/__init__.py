"""New versions: looked for where the firm's IT says, proved as TUF does it, installed when nothing is in flight."""

"""Stand-ins for the vendors: real HTTP servers on loopback, written from the vendors' facts, sharing no code with the product."""

from __future__ import annotations

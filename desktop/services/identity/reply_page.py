"""What the browser shows after a sign-in: one page that never changes and holds nothing of the request."""

from __future__ import annotations

import base64
import hashlib

_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:18vh auto;padding:0 1.5rem;"
    "color:#1c2430;background:#fff}h1{font-size:1.5rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#171b21}}"
)

PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>iConnect Desktop</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Back to iConnect Desktop</h1>
<p>The browser's part is done. You can close this tab.</p>
<p>iConnect Desktop now finishes signing in and says whether it worked. If it reports a problem, start again from there.</p>
</body>
</html>
""".encode()

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: tuple[tuple[str, str], ...] = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)

"""Browser parts: a tiny components-v2 shim per part, which loads the real code from the app's own /assets route."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

ASSETS = Path(__file__).parents[2] / "assets"

# Streamlit sends a component's JavaScript with every message that shows it, so only this much is inline.
# A failed load is forgotten: the next run of the script tries again.
_SHIM = """\
let loading;
export default async (component) => {
  loading ??= Promise.all([%s].map((path) => import(new URL(path, document.baseURI))));
  const [part, ...vendored] = await loading.catch((problem) => { loading = undefined; throw problem; });
  return part.%s(component, ...vendored);
};
"""


def asset_url(path: str) -> str:
    """Return the base-relative URL of a file below assets/, marked with its digest so that browsers may keep it."""
    digest = sha256((ASSETS / path).read_bytes()).hexdigest()[:12]
    return f"assets/{path}?v={digest}"


def browser_part(name: str, *, js: str, function: str, css: str, html: str, vendored: str = "") -> "ComponentRenderer":
    """Register a part that `function` of a script below assets/ draws into `html`; call it once, at import."""
    scripts = ", ".join(f'"{asset_url(path)}"' for path in (js, vendored) if path)
    sheet = f'<link rel="stylesheet" href="{asset_url(css)}">\n'
    return st.components.v2.component(name, html=sheet + html, js=_SHIM % (scripts, function))

"""Uploading a file in the learner's language; the browser's half is assets/parts/upload.js."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from lessons.parts.component import browser_part

_upload = browser_part(
    "upload",
    js="parts/upload.js",
    function="upload",
    css="parts/upload.css",
    html="""\
<div class="upload">
  <div class="zone">
    <svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"
         stroke-linejoin="round" aria-hidden="true">
      <path d="M12 15V4m0 0L8 8m4-4 4 4M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3"/>
    </svg>
    <div class="words"><p class="invite"></p><p class="limit"></p></div>
    <button type="button" class="choose"></button>
    <button type="button" class="cancel"></button>
    <input type="file" class="input" tabindex="-1">
  </div>
  <progress class="progress" max="1" value="0"></progress>
  <div class="after"><img class="picture" alt="" hidden><p class="status" role="status"></p></div>
  <p class="problem" role="alert"></p>
</div>
""",
)


@dataclass(frozen=True)
class UploadLabels:
    """The words of the upload part; {name}, {size}, {cap} and {percent} are filled in by the browser."""

    drop: str
    choose: str
    cancel: str
    limit: str  # {cap}
    sending: str  # {name} {size} {percent}
    sent: str  # {name} {size}
    too_big: str  # {name} {size} {cap}
    refused: str  # {name}: not one of the kinds in `accept`
    one_file: str
    failed: str  # {name}: the server gave no reason, or there was no connection


@dataclass(frozen=True)
class Uploaded:
    """A file that the app's upload route has taken in."""

    id: str
    name: str
    size: int


def upload(
    key: str,
    *,
    url: str,
    labels: UploadLabels,
    max_bytes: int,
    accept: str = "",
    on_upload: Callable[[], None] | None = None,
) -> Uploaded | None:
    """Show a place to drop or choose a file; return it in the one run that follows its upload.

    The browser posts the bytes to `url`, relative to the app, with the file's name as the query's `name`.
    """
    result = _upload(
        key=key,
        data={"url": url, "labels": asdict(labels), "max_bytes": max_bytes, "accept": accept},
        on_uploaded_change=on_upload or (lambda: None),
    )
    match result.get("uploaded"):
        case {"id": str(id_), "name": str(name), "size": int(size)}:
            return Uploaded(id_, name, size)
    return None

"""Say how well this machine can keep a learner's code away from itself, and what the tests would miss."""

import platform
import shutil
import subprocess
import sys

from labs.cloud.functions import sandbox
from labs.cloud.functions.sandbox import Tier, probe

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")

_MEANING = {
    Tier.ISOLATED: ("isolated", "격리돼 있어요"),
    Tier.CONFINED: (
        "partly isolated: no subprocess, no /tmp but TMPDIR, other processes' existence visible",
        "일부만 격리돼 있어요. 하위 프로세스를 만들 수 없고, /tmp 대신 TMPDIR만 쓸 수 있어요."
        " 다른 프로세스가 있다는 것은 보여요",
    ),
    Tier.PLAIN: (
        "NOT isolated: a learner's code can read your files; practice only, grades are not authoritative",
        "격리돼 있지 않아요. 학습자의 코드가 이 컴퓨터의 파일을 읽을 수 있어요."
        " 연습에만 쓰세요. 채점 결과는 공식 성적이 될 수 없어요",
    ),
}

_ADVICE_KO = {
    sandbox.INSTALL_BUBBLEWRAP: "bubblewrap을 설치하세요. 예: `sudo apt install bubblewrap` (또는 dnf, pacman, zypper, apk)",
    sandbox.ALLOW_NAMESPACES: (
        "bubblewrap이 네임스페이스를 만들지 못해요. Ubuntu 23.10 이상에서는 /usr/bin/bwrap에 `userns,`를 허용하는 AppArmor"
        " 프로파일을 만들어 apparmor_parser로 불러오고, 컨테이너에서는 사용자 네임스페이스를 허용하세요."
    ),
    sandbox.USE_LINUX: "Linux에서, 또는 WSL 2나 가상 머신의 Linux에서 bubblewrap을 설치하고 실행하세요.",
    sandbox.SEE_REASON: "위의 이유를 해결한 다음 `python -m labs doctor`를 다시 실행하세요.",
}


def report() -> str:
    """Describe the tier, why it is not better and what to do; then what the tests need."""
    found = probe()
    english, korean = _MEANING[found.tier]
    lines = [f"tier {found.tier.value}", f"  {english}", f"  {korean}"]
    if found.reason:
        lines += [f"reason: {line}" for line in found.reason.splitlines()]
    if found.advice:
        lines += [f"advice: {found.advice}", f"도움말: {_ADVICE_KO[found.advice]}"]
    lines.append(f"Python {platform.python_version()} ({sys.executable})")
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    lines.append(f"Chromium, for the browser tests: {browser or 'not found: sudo apt install chromium'}")
    fonts = "found" if _korean_fonts() else "not found: sudo apt install fonts-noto-cjk"
    lines.append(f"Korean fonts, for the browser tests: {fonts}")
    return "\n".join(lines)


def main() -> int:
    """Print the report; fail when nothing keeps a learner's code away."""
    print(report())
    return 0 if probe().tier > Tier.PLAIN else 1


def _korean_fonts() -> bool:
    if shutil.which("fc-list") is None:
        return False
    return bool(subprocess.run(["fc-list", ":lang=ko"], capture_output=True, check=False).stdout.strip())


if __name__ == "__main__":
    sys.exit(main())

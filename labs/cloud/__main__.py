"""The process of a cloud, or the warm parent of clouds, for the owner at the other end of an inherited socket.

python -m labs.cloud host FD | python -m labs.cloud one FD SETTINGS
"""

import socket
import sys

from labs.cloud import host
from labs.cloud.process import Settings, serve
from labs.cloud.warm import Warm

match sys.argv[1:]:
    case ["host", descriptor]:
        host.main(int(descriptor))
    case ["one", descriptor, settings]:
        serve(Settings.from_json(settings.encode()), socket.socket(fileno=int(descriptor)), Warm())
    case _:
        sys.exit(__doc__)

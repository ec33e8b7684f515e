"""Prints the time of the first IP packet on an interface, on the monotonic clock, which all processes share."""

import socket
import sys
import time

ETH_P_IP = 0x0800


def main(interface: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)) as listener:
        listener.bind((interface, ETH_P_IP))
        listener.settimeout(20)
        print("ready", flush=True)
        listener.recv(64)
        print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

import sys

from appdist_emulator.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

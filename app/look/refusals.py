"""What the server says to a request that it does not take."""

NO_SUCH_ADDRESS = "There is nothing at this address."
FOREIGN_SITE = "This server takes requests from its own page only."
FOREIGN_FILE = "Only files that were uploaded here, or made here for you, can be used."
GONE = "This photo was removed from the server because it was there for long: choose it again."
NO_LENGTH = "An upload must say how large it is (Content-Length)."
BODY_TOO_LARGE = "This request is too large: upload photos first, and then name them."
NO_JSON = "This request is not the JSON that was expected."
NO_SUCH_EVENT = "This request names no event of the page: reload it."
STOPPING = "The server is about to restart: try again in a minute."
DISK_FULL = "The server has no room for more photos just now: try again in a few minutes."


def busy_sentence(waiting: int) -> str:
    """Say that the queue is full."""
    return f"Many photos are being restored just now and {waiting} are waiting: try again in a minute."


def file_too_large(megabytes: float) -> str:
    """Say how large a file may be."""
    return f"This file is too large: {megabytes:g} MB are allowed, so choose a smaller photo."


def upload_too_large(megabytes: float) -> str:
    """Say how much may be uploaded at once."""
    return f"This upload is too large: {megabytes:g} MB at once are allowed, so send fewer or smaller photos."

"""`python -m notifications [serve | migrate]`."""

from notifications.app import compose
from notifications.settings import NotificationsSettings

if __name__ == "__main__":
    compose(NotificationsSettings()).main()

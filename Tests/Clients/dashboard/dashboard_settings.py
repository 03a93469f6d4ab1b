"""How the dashboard is set up: as it comes, with the cloud's address and without a cache server and style sheets."""

import os

from openstack_dashboard.settings import *  # noqa: F403

OPENSTACK_KEYSTONE_URL = os.environ["KEYSTONE_URL"]
ALLOWED_HOSTS = ["127.0.0.1"]
SECRET_KEY = os.urandom(32).hex()
# Sessions are kept there: one that is thrown out for want of room would log its user out.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}}
COMPRESS_ENABLED = False
# Style sheets are made from their sources for each first page, which takes longer than the page.
COMPRESS_PRECOMPILERS = ()
# What goes wrong, with where: the check reads it.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s:%(name)s:%(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}

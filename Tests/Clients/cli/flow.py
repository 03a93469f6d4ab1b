"""What the flows share."""

from harness import Failure

from .command_line import CommandLine, user

# `openstack` looks names up and says so in one of these ways.
GONE = ("No ", "Could not find", "not found", "HttpException: 404")


class Flow:
    """What a flow works with: the command as the administrator, and as whom else it wants to be."""

    def __init__(self, cloud, mirror):
        self.cloud = cloud
        # What images can be downloaded from.
        self.mirror = mirror
        self.url = cloud.url
        self.login = user(cloud.url, "admin", cloud.password(), project_name="admin", project_domain_id="default")
        self.admin = CommandLine(self.login)

    def system(self):
        """The administrator of the whole system."""
        return CommandLine(self.login.but(project_name=None, project_domain_id=None, system_scope="all"))

    def user(self, name, password, **scope):
        return CommandLine(user(self.url, name, password, **scope))

    def member(self, name):
        """A new user who is a member of a new project of the same name: its command, its id and the project's."""
        project = self.admin(f"project create {name}")["id"]
        identifier = self.admin(f"user create {name} --password {name}-secret --project {name}")["id"]
        self.admin(f"role add member --user {name} --project {name}")
        return self.user(name, f"{name}-secret", project_name=name, project_domain_id="default"), identifier, project

    def gone(self, line):
        """The command must say that there is no such thing."""
        try:
            self.admin(line)
        except Failure as failure:
            if not any(text in str(failure) for text in GONE):
                raise
        else:
            raise Failure(f"`openstack {line}` still finds it")


def column(rows, name):
    return sorted(row[name] for row in rows)


def lists(rows, what, **wanted):
    """Exactly one row has these values; returns it."""
    found = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
    if len(found) != 1:
        raise Failure(f"{what}: {len(found)} rows have {wanted!r}: {rows!r}")
    return found[0]

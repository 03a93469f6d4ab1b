"""Imports that end in the middle, because the cloud is killed without warning, again and again.

Each must end as though nobody had disturbed it, and the stores have the bytes of the images that are whole and no others.
"""

import hashlib
import os
import random
import time

from harness import Cloud, Failure, expect, say
from mirror import Mirror

IMPORTS = 6
# From another region.
REGION_IMPORTS = 3
KILLS = 4
SIZE = 12 << 20
# Between two kills, in seconds. A download takes longer than most of them.
PAUSE = (0.0, 0.8)
DEADLINE = 60
STORES = ("file", "second")


def stored(cloud):
    """The names of all files below the stores."""
    return sorted(name for _, _, files in os.walk(cloud.state / "images") for name in files)


def offer_region(client, mirror):
    client.post("/v3/regions", {"region": {"id": "elsewhere"}})
    service = client.get("/v3/services?type=image").json["services"][0]["id"]
    endpoint = {"service_id": service, "interface": "public", "region_id": "elsewhere", "url": mirror.endpoint}
    client.post("/v3/endpoints", {"endpoint": endpoint})


def written(cloud):
    """All files that the cloud has made, and its log."""
    return [cloud.log] + [path for path in cloud.state.rglob("*") if path.is_file()]


def begin(client, number, mirror, is_region=False):
    body = {"name": f"image-{number}", "disk_format": "raw", "container_format": "bare"}
    method = {"name": "web-download", "uri": mirror.url}
    if is_region:
        body |= {"disk_format": "iso", "hw_cpu_cores": "1"}
        method = {"name": "glance-download", "glance_region": "elsewhere", "glance_image_id": mirror.IMAGE}
    image = client.post("/image/v2/images", body).json["id"]
    client.post(f"/image/v2/images/{image}/import", {"method": method, "all_stores": True}, 202)
    return image


def end(client, image):
    deadline = time.monotonic() + DEADLINE
    while (found := client.get(f"/image/v2/images/{image}").json)["status"] not in ("active", "queued"):
        if time.monotonic() > deadline:
            raise Failure(f"the import does not end: the image is {found['status']}")
        time.sleep(0.05)
    return found


def killed(cloud, mirror, data, random_, number, is_region=False):
    client = cloud.admin()
    image = begin(client, number, mirror, is_region)
    token = client.token
    for _ in range(KILLS):
        time.sleep(random_.uniform(*PAUSE))
        cloud.kill()
        cloud.start()
    client = cloud.admin()
    found = end(client, image)
    expect(found["status"], "active", "the status")
    expect(found["stores"], ",".join(STORES), "the stores")
    digest = hashlib.sha512(data).hexdigest()
    expect(found["os_hash_value"], digest, "the digest")
    expect(client.get(f"/image/v2/images/{image}/file").content == data, True, "that the bytes are those of the mirror")
    tasks = client.get(f"/image/v2/images/{image}/tasks").json["tasks"]
    expect([task["status"] for task in tasks], ["success"], "the tasks")
    if is_region:
        taken = [found.get(name) for name in ("disk_format", "hw_cpu_cores", "speed")]
        expect(taken, ["raw", "5", None], "what is taken over of the source")
        expect(token in mirror.tokens, True, "that the other region was asked in the user's name")
        expect([str(path) for path in written(cloud) if token.encode() in path.read_bytes()], [], "the files that the token is in")
    expect(stored(cloud), [digest, digest], "what is stored")
    client.delete(f"/image/v2/images/{image}")
    cloud.kill()
    cloud.start()
    expect(stored(cloud), [], "what is stored once the image is deleted")


def deleted(cloud, mirror):
    """An image that is deleted while it is imported."""
    client = cloud.admin()
    image = begin(client, 0, mirror)
    time.sleep(0.3)
    client.delete(f"/image/v2/images/{image}")
    cloud.kill()
    cloud.start()
    client = cloud.admin()
    client.get(f"/image/v2/images/{image}", 404)
    deadline = time.monotonic() + DEADLINE
    while "novella_workflow_oldest_seconds 0.0\n" not in client.get("/metrics").content.decode() or stored(cloud):
        if time.monotonic() > deadline:
            raise Failure(f"the stores have {stored(cloud)}")
        time.sleep(0.05)


def run(binary, report):
    seed = int(os.environ.get("SEED") or random.SystemRandom().getrandbits(32))
    say(f"  SEED={seed}")
    random_ = random.Random(seed)
    data = random_.randbytes(SIZE)
    with Mirror(data, pause=0.05) as mirror:
        settings = {"IMAGES_STORES": ",".join(STORES), "LOG_LEVEL": "trace", "LOG_ACCESS": "true"}
        with Cloud(binary, settings | mirror.settings) as cloud:
            for number in range(IMPORTS):
                with report.case(f"import {number + 1}"):
                    killed(cloud, mirror, data, random_, number)
            offer_region(cloud.admin(), mirror)
            for number in range(REGION_IMPORTS):
                with report.case(f"import {number + 1} from another region"):
                    killed(cloud, mirror, data, random_, number, is_region=True)
            with report.case("deleted meanwhile"):
                deleted(cloud, mirror)
            if report.failures:
                print(cloud.tail(20))
                return
        say(f"  {(IMPORTS + REGION_IMPORTS) * KILLS} kills of {IMPORTS + REGION_IMPORTS} imports, which all came to their end")

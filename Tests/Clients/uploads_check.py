"""Uploads that end in the middle, because the client goes away or the cloud is killed without warning.

After each end every image is whole or waits for its bytes, and the store has the bytes of the whole ones and no others.
"""

import hashlib
import http.client
import os
import random
import socket
import threading
import time

from harness import Cloud, Failure, expect, say

DISCONNECTS = 20
KILLS = 30
UPLOADERS = 3
LARGEST = 6_000_000
# When the cloud is killed, in seconds after the uploads have begun.
MOMENT = (0.0, 0.15)
# What a lost connection looks like.
LOST = (OSError, http.client.HTTPException)
DEADLINE = 20


class Images:
    def __init__(self, cloud, random_):
        self.cloud = cloud
        self.random = random_
        self.made = 0
        # Of each image its data, as far as anybody has sent them.
        self.data = {}

    def create(self, client):
        self.made += 1
        body = {"name": f"image-{self.made}", "disk_format": "raw", "container_format": "bare"}
        image = client.post("/image/v2/images", body).json["id"]
        self.data[image] = self.random.randbytes(self.random.randrange(1, LARGEST))
        return image

    def queued_or_whole(self, image, client):
        """Returns whether it is whole."""
        status = client.get(f"/image/v2/images/{image}").json["status"]
        if status == "queued":
            return False
        expect(status, "active", f"the status of {image}")
        found = client.get(f"/image/v2/images/{image}/file").content
        expect(hashlib.sha512(found).hexdigest(), self.sha512(image), f"the bytes of {image}")
        return True

    def sha512(self, image):
        return hashlib.sha512(self.data[image]).hexdigest()

    def stored(self):
        """The names of all files below the store."""
        return sorted(name for _, _, files in os.walk(self.cloud.state / "images") for name in files)

    def expect_stored(self, whole):
        """Waits until the bytes of these images are there and no others."""
        wanted = sorted({self.sha512(image) for image in whole})
        deadline = time.monotonic() + DEADLINE
        while (found := self.stored()) != wanted:
            if time.monotonic() > deadline:
                raise Failure(f"the store has {found}, and the images have {wanted}")
            time.sleep(0.05)

    def upload(self, image, token):
        """Sends the bytes; returns whether they were taken."""
        connection = http.client.HTTPConnection(*self.cloud.host_and_port, timeout=30)
        try:
            headers = {"X-Auth-Token": token, "Content-Type": "application/octet-stream"}
            connection.request("PUT", f"/image/v2/images/{image}/file", self.data[image], headers)
            return connection.getresponse().status == 204
        except LOST:
            return False
        finally:
            connection.close()

    def break_off(self, image, token):
        """Sends some of the bytes and goes away."""
        data = self.data[image]
        head = (
            f"PUT /image/v2/images/{image}/file HTTP/1.1\r\nHost: cloud\r\nX-Auth-Token: {token}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        with socket.create_connection(self.cloud.host_and_port, timeout=30) as connection:
            connection.sendall(head.encode() + data[: self.random.randrange(len(data))])
            if self.random.random() < 0.5:
                connection.shutdown(socket.SHUT_WR)


def disconnects(images, admin):
    before = images.stored()
    for _ in range(DISCONNECTS):
        image = images.create(admin)
        images.break_off(image, admin.token)
        # The server may hear of the end later than this asks again, and has not even begun perhaps.
        deadline = time.monotonic() + DEADLINE
        while not images.upload(image, admin.token):
            if time.monotonic() > deadline:
                raise Failure("the image takes no upload after one that broke off")
            time.sleep(0.02)
        expect(images.queued_or_whole(image, admin), True, "that the second upload is whole")
        before.append(images.sha512(image))
        expect(images.stored(), sorted(before), "what is stored")


def kill(images, number):
    """Returns how many uploads the kill has cut off."""
    cloud = images.cloud
    admin = cloud.admin()
    made = [images.create(admin) for _ in range(UPLOADERS)]
    taken = {}
    threads = [
        threading.Thread(target=lambda image=image: taken.update({image: images.upload(image, admin.token)})) for image in made
    ]
    for thread in threads:
        thread.start()
    time.sleep(images.random.uniform(*MOMENT))
    cloud.kill()
    for thread in threads:
        thread.join()
    cloud.start()
    admin = cloud.admin()
    whole = [image for image in made if images.queued_or_whole(image, admin)]
    for image in made:
        if taken[image] and image not in whole:
            raise Failure("an upload was acknowledged, and its bytes are lost")
    images.expect_stored(whole)
    # Their bytes go later, and with the next start at the latest.
    for image in made:
        admin.delete(f"/image/v2/images/{image}")
    return UPLOADERS - len(whole)


def run(binary, report):
    seed = int(os.environ.get("SEED") or random.SystemRandom().getrandbits(32))
    say(f"  SEED={seed}")
    with Cloud(binary) as cloud:
        images = Images(cloud, random.Random(seed))
        with report.case("clients that go away"):
            disconnects(images, cloud.admin())
            for image in images.data:
                cloud.admin().delete(f"/image/v2/images/{image}")
            say(f"  {DISCONNECTS} clients went away")
        cut = 0
        for number in range(KILLS):
            with report.case(f"kill {number + 1}"):
                cut += kill(images, number)
            if report.failures:
                print(cloud.tail(20))
                return
        say(f"  {KILLS} kills, {cut} of {KILLS * UPLOADERS} uploads cut off")

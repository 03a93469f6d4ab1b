// strike DEVICE: sends the frames of its input from inside a guest. Each line is `COUNT WIDTH PLACE HEX`: the frame is sent COUNT times,
// and the number of each copy is written into the WIDTH bytes at PLACE. Says how many the kernel took.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words) {
    if (count != 2) return 2;
    int sender = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(words[1])};
    if (sender < 0 || to.sll_ifindex == 0) return 3;
    static char hex[20000];
    unsigned copies, width, place;
    unsigned long sent = 0;
    while (scanf("%u %u %u %19999s", &copies, &width, &place, hex) == 4) {
        unsigned char frame[10000];
        size_t length = strlen(hex) / 2;
        for (size_t at = 0; at < length; at++) {
            unsigned byte;
            if (sscanf(hex + 2 * at, "%2x", &byte) != 1) return 4;
            frame[at] = (unsigned char)byte;
        }
        if (place + width > length) return 5;
        for (unsigned copy = 0; copy < copies; copy++) {
            for (unsigned at = 0; at < width; at++) frame[place + at] = (unsigned char)(copy >> (8 * (width - 1 - at)));
            // A full queue is waited for.
            for (int tries = 0; tries < 1000; tries++) {
                if (sendto(sender, frame, length, 0, (struct sockaddr *)&to, sizeof to) >= 0) {
                    sent++;
                    break;
                }
                usleep(1000);
            }
        }
    }
    printf("%lu\n", sent);
    return 0;
}

import Drivers

/// The chains of a host's packet filter. They are the same on every host; `FilterCompiler` fills their sets and maps.
enum FilterChains {
    /// The chains of table `bridge`. The kernel finds no protocol in an IPv6 packet whose headers go on in a later
    /// fragment: such a packet could be a message that guests must not send, and nothing sends it for a good reason. A
    /// match that cannot be made fails, so each check of a message's content ends in `drop`.
    ///
    /// The DHCP server believes what a message says of its sender. So the address of the client in the message (36
    /// bytes into the datagram) must be one of the guest's own, and guests relay nothing to the server (message 12).
    static let bridge = """
          chain mark_sender {
            type filter hook prerouting priority -350; policy accept;
            iifname @member meta mark set 0
            meta mark set iifname map @number
            iifname @number jump from_guest
          }
          chain from_guest {
            meta mark . ether saddr != @mac drop
            ether type vmap { arp : goto arp_from_guest, ip : goto ip4_from_guest, ip6 : goto ip6_from_guest }
            ether type 0x8035 return
            drop
          }
          chain arp_from_guest {
            arp htype != 1 drop
            arp ptype != ip drop
            arp hlen != 6 drop
            arp plen != 4 drop
            meta mark . arp saddr ether . arp saddr ip @address4 return
            meta mark . arp saddr ether . arp saddr ip @range4 return
            arp operation request arp saddr ip 0.0.0.0 meta mark . arp saddr ether @mac return
            drop
          }
          chain ip4_from_guest {
            udp sport 67 udp dport 68 drop
            meta mark . ether saddr . ip saddr @address4 return
            meta mark . ether saddr . ip saddr @range4 return
            ip saddr 0.0.0.0 udp sport 68 udp dport 67 return
            drop
          }
          chain ip6_from_guest {
            meta l4proto != 255 goto known_ip6_from_guest
            drop
          }
          chain known_ip6_from_guest {
            icmpv6 type { 134, 137 } drop
            udp sport 547 udp dport 546 drop
            icmpv6 type 136 jump advertised
            meta mark . ether saddr . ip6 saddr @address6 return
            meta mark . ether saddr . ip6 saddr @range6 return
            ip6 saddr :: icmpv6 type { 131, 135, 143 } return
            drop
          }
          chain advertised {
            meta mark . @th,64,128 @target return
            meta mark . @th,64,128 @target_range return
            drop
          }
          chain mark_receiver {
            type filter hook forward priority -350; policy accept;
            iifname @number oifname @service jump to_service
            oifname @member meta mark set 0
            meta mark set oifname map @number
          }
          chain to_service {
            udp dport 67 meta mark . @th,288,48 @client return
            udp dport 67 drop
            udp dport 547 @th,64,8 12 drop
          }
          chain to_host {
            type filter hook input priority -350; policy accept;
            iifname @apart drop
          }

        """

    private static func types(_ types: [UInt8]) -> String { types.map(String.init).joined(separator: ", ") }

    static let always = """
          chain tracked {
            ct state invalid drop
            ct state related accept
            ct direction reply ct state established accept
          }
          chain always_egress {
            icmpv6 type { \(types(RuleBook.neighbourTypesOut)) } accept
            meta nfproto ipv4 udp sport 68 udp dport 67 accept
            meta nfproto ipv6 udp sport 546 udp dport 547 accept
            jump tracked
          }
          chain always_ingress {
            icmpv6 type { \(types(RuleBook.neighbourTypesIn)) } accept
            meta nfproto ipv4 udp sport 67 udp dport 68 accept
            meta nfproto ipv6 udp sport 547 udp dport 546 accept
            jump tracked
          }

        """

    /// The chain `egress` comes after connection tracking (-200) at `prerouting`, and sees only packets from our
    /// bridges. A bridged packet arrives and leaves on the same bridge; a packet that the host routes does not. Guests
    /// may ping the host and can reach nothing else on it. Packets that the host itself sends to a guest, for example
    /// for one of its users, are judged like other packets from outside.
    ///
    /// Other hosts take frames of a tunnel from this host's address. Packets that guests send outside get this address,
    /// so none of them may go to a tunnel.
    static let inet = """
          chain egress {
            type filter hook prerouting priority -140; policy accept;
            iifname @bridges meta mark vmap @port_egress
          }
          chain ingress {
            type filter hook forward priority 0; policy accept;
            iifname . oifname @within meta mark vmap @port_ingress
            iifname @routed oifname != @bridges udp dport 4789 ip daddr @tunnel_peer4 drop
            iifname @routed oifname != @bridges udp dport 4789 ip6 daddr @tunnel_peer6 drop
            oifname . ip daddr vmap @routed_ingress
          }
          chain from_host {
            type filter hook output priority filter; policy accept;
            oifname . ip daddr vmap @routed_ingress
          }
          chain to_host {
            type filter hook input priority filter; policy accept;
            udp dport 4789 ip daddr @tunnel_end4 ip saddr != @tunnel_peer4 drop
            udp dport 4789 ip6 daddr @tunnel_end6 ip6 saddr != @tunnel_peer6 drop
            iifname @routed ct state established,related accept
            iifname @routed icmp type echo-request accept
            iifname @routed icmpv6 type { 128, 135, 136 } accept
            iifname @routed drop
          }

        """
}

// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <stdexcept>

namespace jail_ai::test {

IpAddress parse_address(const std::string& text) {
    IpAddress address;
    address.family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
    if (::inet_pton(address.family, text.c_str(), address.bytes.data()) != 1)
        throw std::invalid_argument("no IP address: " + text);
    return address;
}

IpPrefix parse_prefix(const std::string& text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string::npos) throw std::invalid_argument("no IP prefix: " + text);
    return {parse_address(text.substr(0, slash)),
            static_cast<std::uint8_t>(std::stoi(text.substr(slash + 1)))};
}

Destination destination(const std::string& text, std::uint16_t port, unsigned scope) {
    const IpAddress ip = parse_address(text);
    Destination to{};
    if (ip.family == AF_INET) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, ip.bytes.data(), sizeof v4.sin_addr);
        std::memcpy(&to.address, &v4, sizeof v4);
        to.length = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        v6.sin6_scope_id = scope;
        std::memcpy(&v6.sin6_addr, ip.bytes.data(), sizeof v6.sin6_addr);
        std::memcpy(&to.address, &v6, sizeof v6);
        to.length = sizeof v6;
    }
    return to;
}

}  // namespace jail_ai::test

package org.bergfried.contract.tls;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// A host and a port.
///
/// @param host a name, an IPv4 address, or an IPv6 address without brackets.
/// @param port 0 lets the system choose, where a server listens.
public record Address(String host, int port) {
    private static final Pattern FORM = Pattern.compile("(?:\\[([0-9a-fA-F:.]+)]|([^\\[\\]:/\\s]+)):([0-9]{1,5})");
    private static final Pattern LOOPBACK_V4 = Pattern.compile("127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}");

    /// Checks the port.
    public Address {
        if (port < 0 || port > 65535) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST, "port " + port + " of " + host + " must be from 0 to 65535");
        }
    }

    /// Reads `host:port` or `[ipv6]:port`.
    public static Address parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "\"" + text + "\" is no address; write host:port or, for IPv6, [address]:port");
        }
        String host = form.group(1) == null ? form.group(2) : form.group(1);
        return new Address(host, Integer.parseInt(form.group(3)));
    }

    /// Whether it can only be this machine, judged without a name service: `localhost`, 127.x.x.x or ::1.
    public boolean isLoopback() {
        return host.equals("localhost")
                || host.equals("::1")
                || LOOPBACK_V4.matcher(host).matches();
    }

    @Override
    public String toString() {
        return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
    }
}

package org.bergfried.contract.tls;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// The names in the caller's certificate, for services that must know who calls.
public final class PeerNames {
    private static final int DNS_NAME = 2; // RFC 5280, GeneralName
    private static final int IP_ADDRESS = 7;
    private static final Context.Key<Set<String>> NAMES = Context.key("bergfried-peer-names");

    private PeerNames() {}

    /// DNS names and addresses of the certificate that the caller of the current gRPC call has shown; empty for
    /// plaintext (loopback) and for callers without a certificate.
    public static Set<String> current() {
        Set<String> names = NAMES.get();
        return names == null ? Set.of() : names;
    }

    /// Makes the names available to handlers; part of every server.
    static ServerInterceptor interceptor() {
        return new ServerInterceptor() {
            @Override
            public <Q, A> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
                Context context = Context.current().withValue(NAMES, of(call));
                return Contexts.interceptCall(context, call, headers, next);
            }
        };
    }

    /// The same of a call that has not come to its handler.
    static Set<String> of(ServerCall<?, ?> call) {
        return names(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION));
    }

    private static Set<String> names(@Nullable SSLSession session) {
        if (session == null) {
            return Set.of();
        }
        try {
            Certificate[] chain = session.getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate leaf ? names(leaf) : Set.of();
        } catch (SSLPeerUnverifiedException anonymous) {
            return Set.of();
        }
    }

    private static Set<String> names(X509Certificate leaf) {
        try {
            Collection<List<?>> alternatives = leaf.getSubjectAlternativeNames();
            Set<String> names = new TreeSet<>();
            for (List<?> name : alternatives == null ? List.<List<?>>of() : alternatives) {
                if (name.get(0).equals(DNS_NAME) || name.get(0).equals(IP_ADDRESS)) {
                    names.add((String) name.get(1));
                }
            }
            return Set.copyOf(names);
        } catch (CertificateParsingException malformed) {
            throw new IllegalStateException("a verified certificate has malformed names", malformed);
        }
    }
}

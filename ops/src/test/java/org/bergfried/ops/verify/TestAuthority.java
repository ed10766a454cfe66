package org.bergfried.ops.verify;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bergfried.contract.tls.TlsConfig;

/// An authority of its own for a test, and the files of the identities that it issues.
final class TestAuthority {
    private static final String SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"; // RFC 5280
    private static final byte SEQUENCE = 0x30;
    private static final byte DNS_NAME = (byte) 0x82;
    private static final byte IP_ADDRESS = (byte) 0x87;

    private final Path folder;
    private final X509Bundle authority;

    TestAuthority(Path folder) throws Exception {
        this.folder = folder;
        this.authority = new CertificateBuilder()
                .subject("CN=authority of a test")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
    }

    /// Writes certificate, key and trust of a process on 127.0.0.1.
    TlsConfig issue(String name) throws Exception {
        return issue(name, name);
    }

    /// Writes certificate, key and trust, into a folder of their own, of a process on 127.0.0.1 that has a name.
    TlsConfig issue(String own, String name) throws Exception {
        X509Bundle leaf = new CertificateBuilder()
                .subject("CN=" + name)
                .addExtensionOctetString(SUBJECT_ALTERNATIVE_NAME, false, names(name))
                .buildIssuedBy(authority);
        return write(Files.createDirectories(folder.resolve(own)), leaf);
    }

    /// A client's trust in nobody but this authority.
    SSLContext trust() throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("authority", authority.getCertificate());
        var trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trusted.getTrustManagers(), null);
        return context;
    }

    /// The encoded names of a certificate: one of DNS, which may begin with `*.` as the builder's own may not, and
    /// 127.0.0.1.
    private static byte[] names(String name) {
        byte[] dns = name.getBytes(StandardCharsets.US_ASCII);
        byte[] address = {127, 0, 0, 1};
        return ByteBuffer.allocate(2 + 2 + dns.length + 2 + address.length)
                .put(SEQUENCE)
                .put((byte) (2 + dns.length + 2 + address.length))
                .put(DNS_NAME)
                .put((byte) dns.length)
                .put(dns)
                .put(IP_ADDRESS)
                .put((byte) address.length)
                .put(address)
                .array();
    }

    private TlsConfig write(Path own, X509Bundle leaf) throws IOException {
        return new TlsConfig(
                Files.writeString(own.resolve("tls.crt"), leaf.getCertificatePathPEM()),
                Files.writeString(own.resolve("tls.key"), leaf.getPrivateKeyPEM()),
                Files.writeString(own.resolve("ca.crt"), authority.getCertificatePEM()));
    }
}

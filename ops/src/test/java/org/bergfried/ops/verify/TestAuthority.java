package org.bergfried.ops.verify;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bergfried.contract.tls.TlsConfig;

/// An authority of its own for a test, and the files of the identities that it issues.
final class TestAuthority {
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
        X509Bundle leaf = new CertificateBuilder()
                .subject("CN=" + name)
                .addSanDnsName(name)
                .addSanIpAddress("127.0.0.1")
                .buildIssuedBy(authority);
        Path own = Files.createDirectories(folder.resolve(name));
        return new TlsConfig(
                Files.writeString(own.resolve("tls.crt"), leaf.getCertificatePathPEM()),
                Files.writeString(own.resolve("tls.key"), leaf.getPrivateKeyPEM()),
                Files.writeString(own.resolve("ca.crt"), authority.getCertificatePEM()));
    }
}

package org.bergfried.contract.tls;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// An authority of its own for a test, and the files of the identities that it issues.
final class Certificates {
    private final X509Bundle authority;

    Certificates(String name) {
        authority = build(() -> new CertificateBuilder()
                .subject("CN=" + name)
                .setIsCertificateAuthority(true)
                .buildSelfSigned());
    }

    /// Writes certificate, key and trust into a folder.
    ///
    /// @param names DNS names of the certificate; "127.0.0.1" becomes an address.
    TlsConfig issue(Path folder, String... names) {
        var builder = new CertificateBuilder().subject("CN=" + names[0]);
        for (String name : names) {
            if (name.equals("127.0.0.1")) {
                builder.addSanIpAddress(name);
            } else {
                builder.addSanDnsName(name);
            }
        }
        X509Bundle leaf = build(() -> builder.buildIssuedBy(authority));
        try {
            Files.createDirectories(folder);
            return new TlsConfig(
                    Files.writeString(folder.resolve("tls.crt"), leaf.getCertificatePathPEM()),
                    Files.writeString(folder.resolve("tls.key"), leaf.getPrivateKeyPEM()),
                    Files.writeString(folder.resolve("ca.crt"), authority.getCertificatePEM()));
        } catch (IOException unexpected) {
            throw new java.io.UncheckedIOException(unexpected);
        }
    }

    private interface Builder {
        X509Bundle build() throws Exception;
    }

    private static X509Bundle build(Builder builder) {
        try {
            return builder.build();
        } catch (Exception unexpected) {
            throw new IllegalStateException(unexpected);
        }
    }
}

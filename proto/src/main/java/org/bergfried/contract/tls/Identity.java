package org.bergfried.contract.tls;

import io.grpc.ChannelCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.net.ssl.X509KeyManager;
import org.bergfried.contract.ConfigException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A certificate, its key and the trusted authorities, read from files that may change while the process runs.
/// New handshakes use what was read last; connections that stand are left alone.
final class Identity {
    private static final Logger LOG = LoggerFactory.getLogger(Identity.class);

    private final TlsConfig files;
    private final AdvancedTlsX509KeyManager keyManager;
    private final AdvancedTlsX509TrustManager trustManager;
    private byte[] identityBytes = {};
    private byte[] trustBytes = {};

    /// Reads the files.
    ///
    /// @throws ConfigException if one of them is missing or not what it should be.
    Identity(TlsConfig files) {
        this.files = files;
        try {
            keyManager = new AdvancedTlsX509KeyManager();
            trustManager = AdvancedTlsX509TrustManager.newBuilder()
                    .setVerification(AdvancedTlsX509TrustManager.Verification.CERTIFICATE_AND_HOST_NAME_VERIFICATION)
                    .build();
            read();
        } catch (IOException | GeneralSecurityException unusable) {
            throw refusal(unusable);
        } catch (RuntimeException unusable) { // the parsers throw several for what is no PEM
            throw refusal(unusable);
        }
    }

    /// Reads the files again if they have changed; keeps the old identity, with a warning, if they cannot be
    /// used.
    synchronized void reload() {
        try {
            read();
        } catch (IOException | GeneralSecurityException | RuntimeException unusable) {
            LOG.warn("Keeping the identity in use: {}", refusal(unusable).getMessage());
        }
    }

    X509KeyManager keys() {
        return keyManager;
    }

    ChannelCredentials client() {
        return TlsChannelCredentials.newBuilder()
                .keyManager(keyManager)
                .trustManager(trustManager)
                .build();
    }

    /// @param clientCertificates whether callers must show a certificate.
    ServerCredentials server(boolean clientCertificates) {
        var builder = TlsServerCredentials.newBuilder().keyManager(keyManager);
        if (clientCertificates) {
            builder.trustManager(trustManager).clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
        }
        return builder.build();
    }

    private synchronized void read() throws IOException, GeneralSecurityException {
        byte[] newTrust = Files.readAllBytes(files.trust());
        byte[] newIdentity = join(Files.readAllBytes(files.certificate()), Files.readAllBytes(files.privateKey()));
        if (!Arrays.equals(newTrust, trustBytes)) {
            trustManager.updateTrustCredentials(files.trust().toFile());
            announce("trust", files.trust(), trustBytes);
            trustBytes = newTrust;
        }
        if (!Arrays.equals(newIdentity, identityBytes)) {
            keyManager.updateIdentityCredentials(
                    files.certificate().toFile(), files.privateKey().toFile());
            announce("certificate", files.certificate(), identityBytes);
            identityBytes = newIdentity;
        }
    }

    private static void announce(String what, Path file, byte[] before) {
        if (before.length > 0) {
            LOG.info("Read a new {} from {}", what, file);
        }
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private ConfigException refusal(@Nullable Exception cause) {
        return new ConfigException(
                "TLS files " + files.certificate() + ", " + files.privateKey() + " and " + files.trust()
                        + " cannot be used: " + cause,
                cause);
    }
}

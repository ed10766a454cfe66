package org.bergfried.contract.tls;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.X509KeyManager;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.Limits;
import org.jspecify.annotations.Nullable;

/// Builds every gRPC channel and server of a process. With a [TlsConfig], all of them are encrypted and the
/// process shows its certificate; without one, only loopback addresses are accepted. Limits, windows and
/// keepalive are the same everywhere. Proxies of the environment are ignored, and nothing is asked of DNS but
/// addresses.
public final class Channels implements AutoCloseable {
    private static final Duration RELOAD_INTERVAL = Duration.ofSeconds(10);

    private final Optional<TlsConfig> tls;
    private final @Nullable Identity identity;
    private final KeepAlive keepAlive;
    private final ExecutorService handlers = Executors.newVirtualThreadPerTaskExecutor();
    private final @Nullable ScheduledExecutorService reloader;

    /// Reads the files of the identity, if there is one, and looks for new ones every ten seconds.
    ///
    /// @throws ConfigException if the files cannot be used.
    public Channels(Optional<TlsConfig> tls, KeepAlive keepAlive) {
        this.tls = tls;
        this.keepAlive = keepAlive;
        this.identity = tls.map(Identity::new).orElse(null);
        this.reloader = identity == null ? null : startReloading(identity);
    }

    /// Where callbacks of a channel or handlers of a server run.
    public enum Execution {
        /// One virtual thread per call: code may block.
        VIRTUAL_THREADS,
        /// The network's own threads: for expert streams, whose handlers never block.
        DIRECT
    }

    /// A channel to an address.
    ///
    /// @param address host:port; the certificate of the peer must have the host among its names.
    public ManagedChannel channel(String address, Execution execution) {
        return channel(address, Optional.empty(), execution);
    }

    /// A channel to a peer that is known by a name of its own, such as a worker id.
    ///
    /// @param address host:port to connect to.
    /// @param name what the peer's certificate must name, instead of the host; ignored on plaintext.
    public ManagedChannel channel(String address, Optional<String> name, Execution execution) {
        Address target = Address.parse(address);
        refusePlaintextBeyondLoopback(target, "a connection to");
        ChannelCredentials credentials = identity == null ? InsecureChannelCredentials.create() : identity.client();
        var builder = NettyChannelBuilder.forAddress(target.host(), target.port(), credentials)
                .keepAliveTime(keepAlive.interval().toNanos(), TimeUnit.NANOSECONDS)
                .keepAliveTimeout(keepAlive.timeout().toNanos(), TimeUnit.NANOSECONDS)
                .keepAliveWithoutCalls(true)
                .flowControlWindow(Limits.FLOW_WINDOW_BYTES)
                .maxInboundMessageSize(Limits.MESSAGE_BYTES)
                .maxInboundMetadataSize(Limits.HEADER_BYTES)
                .disableRetry()
                .disableServiceConfigLookUp()
                .proxyDetector(ignored -> null);
        if (identity != null) {
            name.ifPresent(builder::overrideAuthority);
        }
        socketOptions().forEach((option, value) -> setOption(builder, option, value));
        return (execution == Execution.DIRECT ? builder.directExecutor() : builder.executor(handlers)).build();
    }

    /// A server's builder, to which the caller adds services.
    ///
    /// @param host the address to listen on.
    /// @param port 0 lets the system choose; see {@link Server#getPort()}.
    /// @param clientCertificates whether callers must show a certificate of our authorities: always, but at the
    /// front door, where clients show keys or tokens.
    public ServerBuilder<?> server(String host, int port, boolean clientCertificates, Execution execution) {
        Address address = new Address(host, port);
        refusePlaintextBeyondLoopback(address, "a server on");
        ServerCredentials credentials =
                identity == null ? InsecureServerCredentials.create() : identity.server(clientCertificates);
        var builder = NettyServerBuilder.forAddress(new InetSocketAddress(host, port), credentials)
                .keepAliveTime(keepAlive.interval().toNanos(), TimeUnit.NANOSECONDS)
                .keepAliveTimeout(keepAlive.timeout().toNanos(), TimeUnit.NANOSECONDS)
                .permitKeepAliveTime(keepAlive.interval().toNanos() / 2, TimeUnit.NANOSECONDS)
                .permitKeepAliveWithoutCalls(true)
                .flowControlWindow(Limits.FLOW_WINDOW_BYTES)
                .maxInboundMessageSize(Limits.MESSAGE_BYTES)
                .maxInboundMetadataSize(Limits.HEADER_BYTES)
                .intercept(PeerNames.interceptor());
        socketOptions().forEach((option, value) -> setChildOption(builder, option, value));
        return execution == Execution.DIRECT ? builder.directExecutor() : builder.executor(handlers);
    }

    /// Guards services, so that only peers of a role may call them; lets all pass where there is no TLS, because
    /// plaintext is for loopback only.
    ///
    /// @param roles who may call, by the full name of the service; services that are not named are open.
    public ServerInterceptor guard(Map<String, PeerRole> roles) {
        return tls.<ServerInterceptor>map(identified -> new RoleGuard(identified, roles))
                .orElse(new ServerInterceptor() {
                    @Override
                    public <Q, A> ServerCall.Listener<Q> interceptCall(
                            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
                        return next.startCall(call, headers);
                    }
                });
    }

    /// Key and certificate for servers that are not built here, such as the HTTP door: always what was read last; empty
    /// for plaintext.
    public Optional<X509KeyManager> keys() {
        return Optional.ofNullable(identity).map(Identity::keys);
    }

    /// Reads the files of the identity again now.
    public void reload() {
        if (identity != null) {
            identity.reload();
        }
    }

    @Override
    public void close() {
        if (reloader != null) {
            reloader.shutdownNow();
        }
        handlers.shutdown();
    }

    private void refusePlaintextBeyondLoopback(Address address, String what) {
        if (identity == null && !address.isLoopback()) {
            throw new ConfigException(
                    what + " " + address + " needs TLS: plaintext is for loopback addresses only; configure tls with "
                            + "certificate, privateKey and trust",
                    null);
        }
    }

    /// gRPC's own keepalive of clients starts at ten seconds, so the kernel's is used to notice a dead machine
    /// earlier.
    private Map<ChannelOption<Integer>, Integer> socketOptions() {
        if (!Epoll.isAvailable()) {
            return Map.of();
        }
        int seconds = (int) Math.max(1, keepAlive.interval().toSeconds());
        int timeoutSeconds = (int) Math.max(1, keepAlive.timeout().toSeconds());
        return Map.of(
                EpollChannelOption.TCP_KEEPIDLE,
                seconds,
                EpollChannelOption.TCP_KEEPINTVL,
                1,
                EpollChannelOption.TCP_KEEPCNT,
                timeoutSeconds,
                EpollChannelOption.TCP_USER_TIMEOUT,
                (seconds + timeoutSeconds) * 1000);
    }

    private static <T> void setOption(NettyChannelBuilder builder, ChannelOption<T> option, T value) {
        builder.withOption(option, value);
    }

    private static <T> void setChildOption(NettyServerBuilder builder, ChannelOption<T> option, T value) {
        builder.withChildOption(option, value);
    }

    private static ScheduledExecutorService startReloading(Identity identity) {
        var executor = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("tls-reload").factory());
        var _ = executor.scheduleWithFixedDelay(
                identity::reload, RELOAD_INTERVAL.toMillis(), RELOAD_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
        return executor;
    }
}

package org.bergfried.ops.bench;

import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.inference.v1.GenerateRequest;
import org.bergfried.proto.inference.v1.GenerateResponse;
import org.bergfried.proto.inference.v1.InferenceServiceGrpc;
import org.bergfried.proto.inference.v1.Options;
import org.bergfried.proto.inference.v1.TokenIds;

/// Worker processes behind a router, asked over gRPC as a client would.
final class ClusterSubject implements Subject {
    private static final int PROMPT_TOKENS = 16; // of a stream whose decoding is timed
    private static final int FIRST_ID = 300; // below are bytes and special tokens

    private final Clusters.Running cluster;
    private final String name;
    private final String description;
    private final Clock clock;
    private final int vocabularySize;
    private final double loadSeconds;
    private final SplittableRandom random = new SplittableRandom(Bench.PROMPT_SEED);
    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final ManagedChannel channel;
    private final ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();

    /// Starts the processes and waits until they are ready.
    ///
    /// @param name for the table.
    ClusterSubject(Clusters clusters, Clusters.Form form, String name, int vocabularySize, Clock clock) {
        this.name = name;
        this.clock = clock;
        this.vocabularySize = vocabularySize;
        long begin = clock.nanoTime();
        cluster = clusters.start(form);
        loadSeconds = (clock.nanoTime() - begin) / 1e9;
        channel = channels.channel(cluster.grpc(), Channels.Execution.VIRTUAL_THREADS);
        description = form.workers() + (form.workers() == 1 ? " worker process" : " worker processes")
                + (form.pinned() ? " of one pinned core each" : "") + " behind a router";
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public double loadSeconds() {
        return loadSeconds;
    }

    @Override
    public long residentBytes() {
        return cluster.residentBytes();
    }

    @Override
    public double prefillRate(int tokens) {
        long begin = clock.nanoTime();
        List<Arrival> answer = answer(tokens, 1).join();
        return tokens / ((answer.getFirst().nanos() - begin) / 1e9);
    }

    @Override
    public double decodeRate(int streams, int tokens) {
        List<CompletableFuture<List<Arrival>>> answers = new ArrayList<>();
        for (int stream = 0; stream < streams; stream++) {
            answers.add(answer(PROMPT_TOKENS, tokens));
        }
        try {
            return rate(answers.stream().map(CompletableFuture::join).toList());
        } catch (CompletionException failure) {
            throw failure.getCause() instanceof ClusterException known ? known : failure;
        }
    }

    /// A token of a stream.
    ///
    /// @param nanos    when it came.
    /// @param position among the tokens of its answer.
    record Arrival(long nanos, int position) {}

    /// Tokens per second of all streams together while all of them decode. A token that yields no text comes with a
    /// later one.
    static double rate(List<List<Arrival>> streams) {
        long begin = streams.stream()
                .mapToLong(stream -> stream.getFirst().nanos())
                .max()
                .orElseThrow();
        long end = streams.stream()
                .mapToLong(stream -> stream.getLast().nanos())
                .min()
                .orElseThrow();
        int tokens = 0;
        for (List<Arrival> stream : streams) {
            tokens += positionAt(stream, end) - positionAt(stream, begin);
        }
        return tokens / ((end - begin) / 1e9);
    }

    private static int positionAt(List<Arrival> stream, long nanos) {
        int position = stream.getFirst().position();
        for (Arrival arrival : stream) {
            position = arrival.nanos() <= nanos ? arrival.position() : position;
        }
        return position;
    }

    private CompletableFuture<List<Arrival>> answer(int promptTokens, int tokens) {
        GenerateRequest request = request(promptTokens, tokens);
        return CompletableFuture.supplyAsync(() -> arrivals(request), readers);
    }

    private List<Arrival> arrivals(GenerateRequest request) {
        List<Arrival> arrivals = new ArrayList<>();
        Iterator<GenerateResponse> events =
                InferenceServiceGrpc.newBlockingStub(channel).generate(request);
        while (events.hasNext()) {
            var event = events.next().getEvent();
            if (event.hasDelta()) {
                arrivals.add(new Arrival(clock.nanoTime(), event.getDelta().getPosition()));
            }
        }
        if (arrivals.isEmpty()) {
            throw new ClusterException(ErrorReason.INTERNAL, "an answer of the cluster had no text");
        }
        return arrivals;
    }

    private GenerateRequest request(int promptTokens, int tokens) {
        var ids = TokenIds.newBuilder();
        for (int i = 0; i < promptTokens; i++) {
            ids.addValues(random.nextInt(FIRST_ID, vocabularySize));
        }
        var options =
                Options.newBuilder().setTemperature(1).setTopP(1).setTopK(40).setSeed(random.nextLong());
        options.setMaxTokens(tokens).setIgnoreEos(true);
        return GenerateRequest.newBuilder().setIds(ids).setOptions(options).build();
    }

    @Override
    public void endProcesses() {
        cluster.close();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        readers.close();
        channels.close();
        cluster.close();
    }
}

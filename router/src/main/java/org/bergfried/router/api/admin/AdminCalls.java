package org.bergfried.router.api.admin;

import com.google.protobuf.Message;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.bergfried.proto.admin.v1.ApplyRequest;
import org.bergfried.proto.admin.v1.BanRequest;
import org.bergfried.proto.admin.v1.DrainWorkerRequest;
import org.bergfried.proto.admin.v1.EvictRequest;
import org.bergfried.proto.admin.v1.GetCallerRequest;
import org.bergfried.proto.admin.v1.GetClusterRequest;
import org.bergfried.proto.admin.v1.GetExpertLoadRequest;
import org.bergfried.proto.admin.v1.GetPlacementRequest;
import org.bergfried.proto.admin.v1.MoveRequest;
import org.bergfried.proto.admin.v1.PinRequest;
import org.bergfried.proto.admin.v1.PlanRequest;
import org.bergfried.proto.admin.v1.ReplicateRequest;
import org.bergfried.proto.admin.v1.UnbanRequest;
import org.bergfried.proto.admin.v1.UndrainWorkerRequest;
import org.bergfried.proto.admin.v1.UnpinRequest;
import org.bergfried.proto.admin.v1.WatchClusterRequest;
import org.bergfried.proto.admin.v1.WatchPlacementRequest;
import org.bergfried.router.auth.Caller;

/// All calls of the two services by `Service/Method`, for doors that know them by name only.
public final class AdminCalls {
    private AdminCalls() {}

    /// One call.
    public sealed interface Call permits Whole, Streamed {
        /// An empty request to read into.
        Message.Builder newRequest();
    }

    /// A call with one response.
    ///
    /// @param requests makes empty requests.
    /// @param run answers.
    public record Whole(Supplier<Message.Builder> requests, Answer<Message> run) implements Call {
        @Override
        public Message.Builder newRequest() {
            return requests.get();
        }
    }

    /// A call with a stream of responses.
    ///
    /// @param requests makes empty requests.
    /// @param run sends the responses and returns at the end of the stream.
    public record Streamed(Supplier<Message.Builder> requests, Stream<Message> run) implements Call {
        @Override
        public Message.Builder newRequest() {
            return requests.get();
        }
    }

    /// Answers requests of a kind.
    @FunctionalInterface
    public interface Answer<Q> {
        /// The response.
        Message answer(Administration administration, Caller caller, Q request) throws InterruptedException;
    }

    /// Answers requests of a kind with streams.
    @FunctionalInterface
    public interface Stream<Q> {
        /// Sends all responses.
        void send(Administration administration, Caller caller, Q request, Feed<? super Message> feed)
                throws InterruptedException;
    }

    private static final Map<String, Call> CALLS = new TreeMap<>();

    static {
        whole(
                "PlacementService/GetPlacement",
                GetPlacementRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.placement().getPlacement(caller, request));
        whole(
                "PlacementService/GetExpertLoad",
                GetExpertLoadRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.placement().getExpertLoad(caller, request));
        streamed(
                "PlacementService/WatchPlacement",
                WatchPlacementRequest.getDefaultInstance(),
                (admin, caller, request, feed) -> admin.placement().watchPlacement(caller, request, widened(feed)));
        whole(
                "ClusterService/GetCaller",
                GetCallerRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.cluster().getCaller(caller, request));
        whole(
                "ClusterService/GetCluster",
                GetClusterRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.cluster().getCluster(caller, request));
        streamed(
                "ClusterService/WatchCluster",
                WatchClusterRequest.getDefaultInstance(),
                (admin, caller, request, feed) -> admin.cluster().watchCluster(caller, request, widened(feed)));
        whole(
                "PlacementService/Plan",
                PlanRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.moves().plan(caller, request));
        streamed(
                "PlacementService/Apply",
                ApplyRequest.getDefaultInstance(),
                (admin, caller, request, feed) -> admin.moves().apply(caller, request, widened(feed)));
        streamed(
                "PlacementService/Move",
                MoveRequest.getDefaultInstance(),
                (admin, caller, request, feed) -> admin.moves().move(caller, request, widened(feed)));
        streamed(
                "PlacementService/Replicate",
                ReplicateRequest.getDefaultInstance(),
                (admin, caller, request, feed) -> admin.moves().replicate(caller, request, widened(feed)));
        streamed(
                "PlacementService/Evict",
                EvictRequest.getDefaultInstance(),
                (admin, caller, request, feed) -> admin.moves().evict(caller, request, widened(feed)));
        whole(
                "PlacementService/Pin",
                PinRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.rules().pin(caller, request));
        whole(
                "PlacementService/Unpin",
                UnpinRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.rules().unpin(caller, request));
        whole(
                "PlacementService/Ban",
                BanRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.rules().ban(caller, request));
        whole(
                "PlacementService/Unban",
                UnbanRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.rules().unban(caller, request));
        streamed(
                "ClusterService/DrainWorker",
                DrainWorkerRequest.getDefaultInstance(),
                (admin, caller, request, feed) -> admin.drains().drainWorker(caller, request, widened(feed)));
        whole(
                "ClusterService/UndrainWorker",
                UndrainWorkerRequest.getDefaultInstance(),
                (admin, caller, request) -> admin.drains().undrainWorker(caller, request));
    }

    /// All calls by `Service/Method`, sorted.
    public static Map<String, Call> all() {
        return Collections.unmodifiableMap(CALLS);
    }

    private static <Q extends Message> void whole(String name, Q empty, Answer<Q> answer) {
        CALLS.put(
                name,
                new Whole(
                        empty::newBuilderForType,
                        (admin, caller, request) -> answer.answer(admin, caller, cast(empty, request))));
    }

    private static <Q extends Message> void streamed(String name, Q empty, Stream<Q> stream) {
        CALLS.put(
                name,
                new Streamed(
                        empty::newBuilderForType,
                        (admin, caller, request, feed) -> stream.send(admin, caller, cast(empty, request), feed)));
    }

    @SuppressWarnings("unchecked") // the request was built from this message's own type
    private static <Q extends Message> Q cast(Q empty, Message request) {
        return (Q) empty.getClass().cast(request);
    }

    /// A feed of messages takes responses of every kind.
    private static <R extends Message> Feed<R> widened(Feed<? super Message> feed) {
        return new Feed<>() {
            @Override
            public void send(R response) {
                feed.send(response);
            }

            @Override
            public void keepAlive() {
                feed.keepAlive();
            }

            @Override
            public boolean isOpen() {
                return feed.isOpen();
            }
        };
    }
}

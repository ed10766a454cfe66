package org.bergfried.contract.rpc;

import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import java.io.InputStream;
import org.bergfried.proto.expert.v1.ExpertServiceGrpc;

/// ExpertService with a marshaller that hands frames over as they are. Names and descriptors are the generated ones, so
/// that reflection lists the service and any protobuf client can speak to it.
public final class ExpertFrames {
    /// The method that carries the step protocol.
    public static final MethodDescriptor<WireFrame, WireFrame> DISPATCH =
            ExpertServiceGrpc.getDispatchMethod().toBuilder(new FrameMarshaller(), new FrameMarshaller())
                    .build();

    private ExpertFrames() {}

    /// The service.
    public static ServiceDescriptor service() {
        ServiceDescriptor generated = ExpertServiceGrpc.getServiceDescriptor();
        return ServiceDescriptor.newBuilder(generated.getName())
                .setSchemaDescriptor(generated.getSchemaDescriptor())
                .addMethod(DISPATCH)
                .build();
    }

    private static final class FrameMarshaller implements MethodDescriptor.Marshaller<WireFrame> {
        @Override
        public InputStream stream(WireFrame frame) {
            return frame.stream();
        }

        @Override
        public WireFrame parse(InputStream message) {
            return WireFrame.incoming(message);
        }
    }
}

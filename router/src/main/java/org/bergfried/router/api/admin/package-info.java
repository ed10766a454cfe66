/// What operators and the console can ask and change, whatever the door: the services of `bergfried.admin.v1` as plain
/// methods over their messages. Called by the gRPC and HTTP doors; they bring the caller, whose roles are checked here.
/// It must not know HTTP or gRPC, and never tells what somebody asked or was answered.
@NullMarked
package org.bergfried.router.api.admin;

import org.jspecify.annotations.NullMarked;

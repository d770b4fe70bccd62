"""GStreamer's own RTSP server on loopback: /live/play shows a test picture, /live/record takes a stream into a file."""
import sys
import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address('127.0.0.1')
server.set_service('0')

play = GstRtspServer.RTSPMediaFactory()
play.set_launch('( videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=25/1'
                ' ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 pt=96 )')
play.set_shared(True)

record = GstRtspServer.RTSPMediaFactory()
record.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
record.set_launch(f'( rtph264depay name=depay0 ! h264parse ! video/x-h264,stream-format=byte-stream'
                  f' ! filesink location={sys.argv[1]} buffer-mode=unbuffered )')

if len(sys.argv) > 2:
    # A user and password, asked for by Basic or Digest.
    auth = GstRtspServer.RTSPAuth()
    import gi.repository.GstRtsp as GstRtsp
    digest = sys.argv[2] == 'digest'
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST if digest else GstRtsp.RTSPAuthMethod.BASIC)
    token = GstRtspServer.RTSPToken()
    token.set_string('media.factory.role', 'user')
    if digest:
        auth.add_digest('inner', 'secret-of-the-origin', token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic('inner', 'secret-of-the-origin'), token)
    server.set_auth(auth)
    for factory in (play, record):
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role('user', 'media.factory.access', True)
        permissions.add_permission_for_role('user', 'media.factory.construct', True)
        factory.set_permissions(permissions)

mounts = server.get_mount_points()
mounts.add_factory('/live/play', play)
mounts.add_factory('/live/record', record)
server.attach(None)
print(f'listening {server.get_bound_port()}', flush=True)
GLib.MainLoop().run()

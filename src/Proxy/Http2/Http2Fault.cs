using static Postern.Proxy.Http2.Http2ErrorCode;

namespace Postern.Proxy.Http2;

/// <summary>What the peer did that HTTP/2 does not allow, or too often. Ends the connection, or only the stream.</summary>
/// <param name="Code">For GOAWAY or RST_STREAM.</param>
/// <param name="Label">For records: the reason.</param>
/// <param name="Detail">For operators: what it means, and the knob where there is one.</param>
/// <param name="EndsStreamOnly">A stream error (RFC 9113 §5.4.2); all others end the connection.</param>
internal sealed record Http2Fault(Http2ErrorCode Code, string Label, string Detail, bool EndsStreamOnly = false)
{
    // §3.4, §4
    public static readonly Http2Fault Preface = new(ProtocolError, "http2_invalid_preface", "the connection does not begin as HTTP/2 does: another preface, or no SETTINGS behind it");
    public static readonly Http2Fault FrameSize = new(FrameSizeError, "http2_frame_size", "a frame is longer than SETTINGS_MAX_FRAME_SIZE allows, or as long as its type cannot be");
    public static readonly Http2Fault StreamFrameSize = FrameSize with { EndsStreamOnly = true };
    public static readonly Http2Fault StreamId = new(ProtocolError, "http2_invalid_stream_id", "a frame names a stream that its type, or its sender, may not");
    public static readonly Http2Fault Padding = new(ProtocolError, "http2_invalid_padding", "the padding of a frame is longer than the frame");
    public static readonly Http2Fault HeaderBlockBroken = new(ProtocolError, "http2_header_block_broken", "a header block is not one run of HEADERS and CONTINUATION frames of one stream");
    public static readonly Http2Fault Compression = new(CompressionError, "http2_malformed_hpack", "a header block is no HPACK: what later blocks mean is lost");

    // §5.1
    public static readonly Http2Fault IdleStream = new(ProtocolError, "http2_frame_on_idle_stream", "a frame came for a stream that was never opened");
    public static readonly Http2Fault ClosedStream = new(StreamClosed, "http2_frame_on_closed_stream", "a frame came for a stream that both sides had ended");
    public static readonly Http2Fault HalfClosedStream = new(StreamClosed, "http2_frame_after_end_stream", "a frame came behind the one that ended the peer's half of its stream", EndsStreamOnly: true);

    // §6
    public static readonly Http2Fault Settings = new(ProtocolError, "http2_invalid_settings", "a SETTINGS frame has a value outside of its bounds");
    public static readonly Http2Fault SettingsWindow = new(FlowControlError, "http2_invalid_settings", "SETTINGS_INITIAL_WINDOW_SIZE is above 2^31-1");
    public static readonly Http2Fault Push = new(ProtocolError, "http2_unexpected_push_promise", "the peer pushes, which nobody allowed");
    public static readonly Http2Fault ConnectionWindow = new(FlowControlError, "http2_flow_control", "the peer sends more than the connection's window allows");
    public static readonly Http2Fault StreamWindow = new(FlowControlError, "http2_flow_control", "the peer sends more than the stream's window allows", EndsStreamOnly: true);
    public static readonly Http2Fault WindowOverflow = new(FlowControlError, "http2_window_overflow", "a window grows above 2^31-1");
    public static readonly Http2Fault StreamWindowOverflow = WindowOverflow with { EndsStreamOnly = true };
    public static readonly Http2Fault ZeroIncrement = new(ProtocolError, "http2_window_update_of_zero", "a WINDOW_UPDATE opens its window by nothing");
    public static readonly Http2Fault StreamZeroIncrement = ZeroIncrement with { EndsStreamOnly = true };

    // §8
    public static readonly Http2Fault Malformed = new(ProtocolError, "http2_malformed_message", "a message has trailers that are none, or a head where none may be", EndsStreamOnly: true);
    public static readonly Http2Fault ContentLength = new(ProtocolError, "http2_content_length_mismatch", "the body is not as long as its content-length says", EndsStreamOnly: true);

    // Bounds
    public static readonly Http2Fault HeaderBlockTooLarge = new(EnhanceYourCalm, "http2_header_block_too_large", "a header block in CONTINUATION frames grew above the listener's max_request_headers_kb");
    public static readonly Http2Fault EmptyFrames = new(EnhanceYourCalm, "http2_inbound_empty_frames_flood", "frames without payload came in a row (max_consecutive_inbound_frames_with_empty_payload)");
    public static readonly Http2Fault PriorityFrames = new(EnhanceYourCalm, "http2_inbound_priority_frames_flood", "too many PRIORITY frames came (max_inbound_priority_frames_per_stream)");
    public static readonly Http2Fault WindowUpdates = new(EnhanceYourCalm, "http2_inbound_window_update_frames_flood", "too many WINDOW_UPDATE frames came (max_inbound_window_update_frames_per_data_frame_sent)");
    public static readonly Http2Fault OutboundFrames = new(EnhanceYourCalm, "http2_outbound_flood", "the peer does not read: too many frames wait for it (max_outbound_frames)");
    public static readonly Http2Fault OutboundControlFrames = new(EnhanceYourCalm, "http2_outbound_control_flood", "the peer asks for answers and does not read them: too many PING, SETTINGS and RST_STREAM frames wait for it (max_outbound_control_frames)");
    public static readonly Http2Fault PrematureResets = new(EnhanceYourCalm, "http2_premature_resets", "the client resets streams before they are answered, again and again (overload.premature_reset_total_stream_count)");
    public static readonly Http2Fault InterimFlood = new(EnhanceYourCalm, "http2_interim_responses_flood", "the server sends interim responses without end", EndsStreamOnly: true);

    // Times
    public static readonly Http2Fault SettingsUnanswered = new(Http2ErrorCode.SettingsTimeout, "http2_settings_timeout", "the peer did not acknowledge our SETTINGS within 10 s");
    public static readonly Http2Fault KeepAliveUnanswered = new(NoError, "http2_keepalive_timeout", "the peer did not answer a PING within connection_keepalive.timeout");
    public static readonly Http2Fault HeadUnfinished = new(EnhanceYourCalm, "request_headers_timeout", "a request's head was not complete within request_headers_timeout");
}

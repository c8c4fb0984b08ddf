namespace Postern.Proxy.Http2;

/// <summary>What a head may hold.</summary>
/// <param name="MaxBytes">Names, values and 32 bytes for each field, as SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 §6.5.2).</param>
/// <param name="MaxFields">Most field lines; pseudo fields are not counted, cookie crumbs are counted each.</param>
/// <param name="AllowExtendedConnect">We sent SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3).</param>
internal readonly record struct HeadLimits(int MaxBytes, int MaxFields, bool AllowExtendedConnect);

using System.Collections.Generic;

namespace Postern.Tproxy.Bpf;

/// <summary>One set of rules as the maps hold it. Immutable.</summary>
/// <param name="Filter">struct postern_filter.</param>
/// <param name="Rules">struct postern_key and union postern_value.</param>
/// <param name="Prefixes4">struct postern_prefix4 and struct postern_class.</param>
/// <param name="Prefixes6">struct postern_prefix6 and struct postern_class.</param>
internal sealed record CompiledSteering(
    byte[] Filter,
    IReadOnlyList<KeyValuePair<byte[], byte[]>> Rules,
    IReadOnlyList<KeyValuePair<byte[], byte[]>> Prefixes4,
    IReadOnlyList<KeyValuePair<byte[], byte[]>> Prefixes6);

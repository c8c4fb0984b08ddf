using System;
using System.Collections.Generic;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>A response after decoding: complete, or with the reasons why it is refused.</summary>
/// <param name="Version">Of the response.</param>
/// <param name="IsFullSet">What is not among the entries is gone.</param>
/// <param name="Entries">Names are unique.</param>
/// <param name="Removed">Names; unknown ones are there too.</param>
/// <param name="Problems">Empty when all is well.</param>
/// <param name="Warnings">One line each.</param>
internal sealed record DecodedResponse(
    string Version,
    bool IsFullSet,
    IReadOnlyList<DecodedEntry> Entries,
    IReadOnlyList<string> Removed,
    IReadOnlyList<ResourceProblem> Problems,
    IReadOnlyList<string> Warnings);

/// <summary>One resource of it.</summary>
/// <param name="Item">The held object itself when the bytes are those held.</param>
/// <param name="Ttl">Null disarms.</param>
/// <param name="IsHeartbeat">Only prolongs the ttl.</param>
internal readonly record struct DecodedEntry(HeldResource Item, TimeSpan? Ttl, bool IsHeartbeat);

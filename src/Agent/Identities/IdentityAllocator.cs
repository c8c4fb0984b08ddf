using System;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Postern.Agent.Model;

namespace Postern.Agent.Identities;

/// <summary>
/// Numbers of security identities, CIDR identities and endpoints, stable across reloads and, through a state file, across restarts.
/// Not thread-safe: one compiler uses it.
/// </summary>
public sealed class IdentityAllocator
{
    private const int StateVersion = 1;
    private const int MaxStateBytes = 64 << 20;
    private const uint MaxCidrs = 1u << 20;

    private byte[] saved = [];
    private NumberPool identities = NewIdentities();
    private NumberPool cidrs = NewCidrs();
    private NumberPool endpoints = NewEndpoints();

    private sealed record AllocatorState(int Version, PoolState Identities, PoolState Cidrs, PoolState Endpoints);

    /// <summary>Whether it goes on from a state file, so that numbers mean what they meant to the agent before.</summary>
    public bool IsRestored { get; private init; }

    /// <summary>SHA-256 of the state file as it was read or written last, in hex: of two that are the same, numbers mean the same.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(saved));

    /// <summary>Reads what <see cref="Save"/> wrote. A file that is absent is a first start; one that cannot be used starts anew with a warning.</summary>
    /// <param name="path">State file.</param>
    /// <param name="warning">One line, or null.</param>
    public static IdentityAllocator Load(string path, out string? warning)
    {
        var allocator = new IdentityAllocator { IsRestored = true };
        warning = null;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                return new IdentityAllocator();
            }
            if (file.Length > MaxStateBytes)
            {
                warning = $"{path}: larger than {MaxStateBytes} bytes; identities are given anew";
                return new IdentityAllocator();
            }
            var bytes = File.ReadAllBytes(path);
            var state = JsonSerializer.Deserialize<AllocatorState>(bytes);
            if (state is { Version: StateVersion, Identities: { } one, Cidrs: { } two, Endpoints: { } three }
                && allocator.identities.TryLoad(one) && allocator.cidrs.TryLoad(two) && allocator.endpoints.TryLoad(three))
            {
                allocator.saved = bytes;
                return allocator;
            }
            warning = $"{path}: not a state of this version or contradicts itself; identities are given anew";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or NotSupportedException or ArgumentException)
        {
            warning = $"{path}: cannot be read ({e.GetType().Name}); identities are given anew";
        }
        return new IdentityAllocator();
    }

    /// <summary>
    /// Writes the state beside the file and renames it, so that a crash leaves the old one; nothing when it says the same already. A state that
    /// cannot be written takes the old file along: numbers that came since would be given twice.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(new AllocatorState(StateVersion, identities.Save(), cidrs.Save(), endpoints.Save()));
        if (bytes.AsSpan().SequenceEqual(saved) && File.Exists(path))
        {
            return;
        }
        var fresh = path + ".new";
        try
        {
            File.WriteAllBytes(fresh, bytes);
            File.Move(fresh, path, overwrite: true);
            saved = bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Starts a compilation: what it does not ask for counts as released (and is remembered).</summary>
    internal void BeginRound()
    {
        identities.BeginRound();
        cidrs.BeginRound();
        endpoints.BeginRound();
    }

    /// <summary>Of an endpoint's labels; null when all 65,280 are in use.</summary>
    internal uint? IdentityOf(LabelSet labels) => identities.Take(labels.Text);

    /// <summary>Of a prefix; null when all are in use.</summary>
    internal uint? IdentityOf(IPNetwork prefix) => cidrs.Take(prefix.ToString());

    /// <summary>Of an endpoint; null when all 65,535 are in use.</summary>
    internal ushort? EndpointId(string name) => (ushort?)endpoints.Take(name);

    /// <summary>The id that an endpoint asks for; who had it gets another.</summary>
    internal void ClaimEndpointId(string name, ushort id) => endpoints.Claim(name, id);

    private static NumberPool NewIdentities() => new(ReservedIdentities.FirstEndpoint, ReservedIdentities.LastEndpoint);

    private static NumberPool NewCidrs() => new(ReservedIdentities.LocalScope + 1, ReservedIdentities.LocalScope + MaxCidrs);

    private static NumberPool NewEndpoints() => new(1, ushort.MaxValue);
}

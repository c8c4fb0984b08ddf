using System.Net;
using System.Net.Sockets;
using Cilium;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>
/// <c>cilium.bpf_metadata</c>. The first three texts are those of Cilium's proxy: control planes and people look for them.
/// </summary>
internal static class BpfMetadataFilter
{
    /// <summary>Validates the filter.</summary>
    public static BpfMetadataConfig ToConfig(BpfMetadata filter, ConfigPath path)
    {
        if (filter.IsL7Lb && filter.IsIngress)
        {
            throw path.Field("is_l7lb").Error("cilium.bpf_metadata: is_l7lb may not be set with is_ingress");
        }
        var v4 = Source(filter.Ipv4SourceAddress, AddressFamily.InterNetwork, "ipv4_source_address is not an IPv4 address", path.Field("ipv4_source_address"));
        var v6 = Source(filter.Ipv6SourceAddress, AddressFamily.InterNetworkV6, "ipv6_source_address is not an IPv6 address", path.Field("ipv6_source_address"));
        if (!filter.UseNphds && filter.BpfRoot.Length == 0)
        {
            throw path.Field("use_nphds").Error("there is no source of identities (neither use_nphds nor bpf_root): every peer would be \"world\"; "
                + "set use_nphds: true and send NetworkPolicyHosts resources by cilium_config_source");
        }
        if (filter.ProxyId > 65535)
        {
            throw path.Field("proxy_id").Error($"{filter.ProxyId} is not within 0 to 65535");
        }
        if (filter.HasOriginalSourceSoLingerTime && filter.OriginalSourceSoLingerTime > 65535)
        {
            throw path.Field("original_source_so_linger_time").Error($"{filter.OriginalSourceSoLingerTime} is not within 0 to 65535 seconds");
        }
        var sourcePath = path.Field("cilium_config_source");
        return new BpfMetadataConfig
        {
            IsIngress = filter.IsIngress,
            UseOriginalSourceAddress = filter.UseOriginalSourceAddress,
            Ipv4SourceAddress = v4,
            Ipv6SourceAddress = v6,
            IsL7Lb = filter.IsL7Lb,
            EnforcePolicyOnL7Lb = filter.EnforcePolicyOnL7Lb,
            L7LbPolicyName = filter.L7LbPolicyName,
            ProxyId = filter.ProxyId,
            OriginalSourceSoLingerTime = filter.HasOriginalSourceSoLingerTime ? filter.OriginalSourceSoLingerTime : null,
            // No BPF map is read: where bpf_root names one, identities come as NetworkPolicyHosts of the same source all the same.
            UseNphds = true,
            PolicySource = filter.CiliumConfigSource is { } source ? ConfigSources.ToConfig(source, sourcePath) : GrpcSources.Cilium,
        };
    }

    private static IPAddress? Source(string text, AddressFamily family, string complaint, ConfigPath path)
    {
        if (text.Length == 0)
        {
            return null;
        }
        return Addresses.Parse(text) is { } ip && ip.AddressFamily == family
            ? ip
            : throw path.Error($"cilium.bpf_metadata: {complaint}: {Printable.Clip(text)}");
    }
}

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
    private const string UseNphds = "set use_nphds: true and put NetworkPolicyHosts resources into the file of cilium_config_source";

    /// <summary>Validates the filter.</summary>
    public static BpfMetadataConfig ToConfig(BpfMetadata filter, ConfigPath path)
    {
        if (filter.IsL7Lb && filter.IsIngress)
        {
            throw path.Field("is_l7lb").Error("cilium.bpf_metadata: is_l7lb may not be set with is_ingress");
        }
        var v4 = Source(filter.Ipv4SourceAddress, AddressFamily.InterNetwork, "ipv4_source_address is not an IPv4 address", path.Field("ipv4_source_address"));
        var v6 = Source(filter.Ipv6SourceAddress, AddressFamily.InterNetworkV6, "ipv6_source_address is not an IPv6 address", path.Field("ipv6_source_address"));
        CheckNotBuiltIn(filter, path);
        if (!filter.UseNphds)
        {
            throw path.Field("use_nphds").Error("there is no source of identities (neither use_nphds nor bpf_root): every peer would be \"world\"; " + UseNphds);
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
            ProxyId = filter.ProxyId,
            OriginalSourceSoLingerTime = filter.HasOriginalSourceSoLingerTime ? filter.OriginalSourceSoLingerTime : null,
            UseNphds = true,
            PolicySource = ConfigSources.ToConfig(
                filter.CiliumConfigSource ?? throw sourcePath.Error(
                    "is missing, and its default, gRPC through the cluster xds-grpc-cilium, is not built in yet; write path_config_source {path}"),
                sourcePath),
        };
    }

    private static void CheckNotBuiltIn(BpfMetadata filter, ConfigPath path)
    {
        if (filter.BpfRoot.Length > 0)
        {
            throw path.Field("bpf_root").Error("eBPF maps are not built in yet; " + UseNphds);
        }
        if (filter.IpcacheName.Length > 0)
        {
            throw path.Field("ipcache_name").Error("the eBPF ipcache is not built in yet; " + UseNphds);
        }
        if (filter.CacheEntryTtl is not null || filter.CacheGcInterval is not null)
        {
            throw path.Field(filter.CacheEntryTtl is not null ? "cache_entry_ttl" : "cache_gc_interval")
                .Error("belongs to the eBPF ipcache, which is not built in yet; remove it (NetworkPolicyHosts lookups need no cache)");
        }
        if (filter.IsL7Lb)
        {
            throw path.Field("is_l7lb").Error("L7 load balancer listeners are not built in yet; remove it");
        }
        if (filter.EnforcePolicyOnL7Lb)
        {
            throw path.Field("enforce_policy_on_l7lb").Error("L7 load balancer listeners are not built in yet; remove it");
        }
        if (filter.L7LbPolicyName.Length > 0)
        {
            throw path.Field("l7lb_policy_name").Error("L7 load balancer listeners are not built in yet; remove it");
        }
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

using System.Collections;
using System.Collections.Generic;
using System.Linq;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Text;

namespace Postern.Agent.Compile;

/// <summary>
/// Walks a resource down into its Any values and changes names and what is missing. It goes by field names, so that messages and fields
/// are served right from the day they are built in.
/// </summary>
internal sealed class ResourceRewriter(NameQualifier names)
{
    // Where a source that is not said means the agent: message → field of type ConfigSource.
    private static readonly Dictionary<string, string> Sources = new(System.StringComparer.Ordinal)
    {
        ["envoy.extensions.filters.network.http_connection_manager.v3.Rds"] = "config_source",
        ["envoy.config.cluster.v3.Cluster.EdsClusterConfig"] = "eds_config",
        ["envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig"] = "sds_config",
    };

    private static readonly (string Field, uint Value)[] Thresholds = [("max_connections", 1024), ("max_requests", 1024), ("max_retries", 128)];

    /// <summary>Changes the message in place.</summary>
    public void Rewrite(IMessage message)
    {
        FillIn(message);
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.String && !field.IsRepeated)
            {
                if (names.Qualify(field.FullName, (string)field.Accessor.GetValue(message)) is { } name)
                {
                    field.Accessor.SetValue(message, name);
                }
            }
            else if (field.FieldType == FieldType.Message && !field.IsMap)
            {
                var value = field.Accessor.GetValue(message);
                foreach (var item in field.IsRepeated ? ((IEnumerable)value).OfType<IMessage>() : value is IMessage one ? [one] : [])
                {
                    RewriteValue(item);
                }
            }
            else if (field.IsMap && field.MessageType.FindFieldByNumber(2).FieldType == FieldType.Message)
            {
                foreach (var item in ((IDictionary)field.Accessor.GetValue(message)).Values.OfType<IMessage>())
                {
                    RewriteValue(item);
                }
            }
        }
    }

    private void RewriteValue(IMessage value)
    {
        if (value is not Any any)
        {
            Rewrite(value);
        }
        else if (MessageTypes.TryFind(Any.GetTypeName(any.TypeUrl), out var type))
        {
            var inner = type.Parser.ParseFrom(any.Value);
            Rewrite(inner);
            any.Value = inner.ToByteString();
        }
    }

    private static void FillIn(IMessage message)
    {
        if (Sources.TryGetValue(message.Descriptor.FullName, out var name) && message.Descriptor.FindFieldByName(name) is { } source && source.Accessor.GetValue(message) is null && AgentSource() is { } agent)
        {
            source.Accessor.SetValue(message, agent);
        }
        if (message is not global::Envoy.Config.Cluster.V3.Cluster cluster)
        {
            return;
        }
        if (cluster.Type == global::Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Eds)
        {
            Ensure(message, "eds_cluster_config");
        }
        // Cilium bounds what a cluster does not bound itself.
        if (Ensure(message, "circuit_breakers") is { } breakers && breakers.Descriptor.FindFieldByName("thresholds") is { } thresholds)
        {
            var list = (IList)thresholds.Accessor.GetValue(breakers);
            if (list.Count == 0)
            {
                list.Add(thresholds.MessageType.Parser.ParseFrom(ByteString.Empty));
            }
            foreach (var threshold in list.OfType<IMessage>())
            {
                foreach (var (field, value) in Thresholds)
                {
                    if (threshold.Descriptor.FindFieldByName(field) is { } bound && bound.Accessor.GetValue(threshold) is null)
                    {
                        bound.Accessor.SetValue(threshold, value);
                    }
                }
            }
        }
    }

    private static IMessage? Ensure(IMessage message, string name)
    {
        if (message.Descriptor.FindFieldByName(name) is not { } field)
        {
            return null;
        }
        if (field.Accessor.GetValue(message) is null)
        {
            field.Accessor.SetValue(message, field.MessageType.Parser.ParseFrom(ByteString.Empty));
        }
        return (IMessage)field.Accessor.GetValue(message);
    }

    // The agent's own xDS, over the cluster that its bootstrap has; null as long as sources of that form are not built in.
    private static global::Envoy.Config.Core.V3.ConfigSource? AgentSource() =>
        global::Envoy.Config.Core.V3.ConfigSource.Descriptor.FindFieldByName("api_config_source") is null
            ? null
            : ProtoJson.Read<global::Envoy.Config.Core.V3.ConfigSource>(AgentSourceText, ConfigPath.Empty);

    private static readonly ConfigNode AgentSourceText = JsonTextReader.Read(
        """
        {"resource_api_version":"V3","api_config_source":{"api_type":"GRPC","transport_api_version":"V3","set_node_on_first_message_only":true,
        "grpc_services":[{"envoy_grpc":{"cluster_name":"xds-grpc-cilium"}}]}}
        """u8,
        ConfigTextLimits.Default);
}

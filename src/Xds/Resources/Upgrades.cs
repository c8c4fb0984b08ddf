using System;
using System.Collections.Generic;
using Google.Protobuf.Collections;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;
using ManagerUpgrade = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.UpgradeConfig;
using RouteUpgrade = Envoy.Config.Route.V3.RouteAction.Types.UpgradeConfig;

namespace Postern.Xds.Resources;

/// <summary><c>upgrade_configs</c> of connection managers and routes. Filters of an upgrade's own, and the end of CONNECT here (<c>connect_config</c>), are refused as fields.</summary>
internal static class Upgrades
{
    /// <summary>Validates a connection manager's.</summary>
    public static EquatableList<UpgradeConfig> ToConfig(RepeatedField<ManagerUpgrade> upgrades, ConfigPath path)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return upgrades.Map(path, (upgrade, at) => One(upgrade.UpgradeType, upgrade.Enabled, seen, at));
    }

    /// <summary>Validates a route's.</summary>
    public static EquatableList<UpgradeConfig> ToConfig(RepeatedField<RouteUpgrade> upgrades, ConfigPath path)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return upgrades.Map(path, (upgrade, at) => One(upgrade.UpgradeType, upgrade.Enabled, seen, at));
    }

    private static UpgradeConfig One(string type, bool? enabled, HashSet<string> seen, ConfigPath path)
    {
        path = path.Field("upgrade_type");
        TypedConfig.Required(type, path);
        if (!IsToken(type))
        {
            throw path.Error($"{Printable.Quote(type)} is no protocol name (RFC 9110, 5.6.2); write websocket or CONNECT");
        }
        if (type.Equals("h2c", StringComparison.OrdinalIgnoreCase))
        {
            throw path.Error("h2c is no upgrade to allow: codec_type AUTO takes it, policy sees its requests; remove it");
        }
        if (type.Equals("CONNECT-UDP", StringComparison.OrdinalIgnoreCase))
        {
            throw path.Error("datagrams in HTTP are not built in; remove it");
        }
        return seen.Add(type) ? new UpgradeConfig(type, enabled ?? true) : throw path.Error($"{Printable.Quote(type)} stands twice; keep one");
    }

    // token, or token/token: protocol-version.
    private static bool IsToken(string type)
    {
        foreach (var c in type)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`|~/".Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }
        return true;
    }
}

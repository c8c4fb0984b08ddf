using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using Postern.Agent.Compile;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent identity list</c>.</summary>
internal static class IdentityCommand
{
    public static Command Create() => new("identity", "Security identities")
    {
        new Query().Of<List<CompiledIdentity>>("list", "Identities in use, with their labels", "/v1/identities", Write),
    };

    internal static void Write(IReadOnlyList<CompiledIdentity> identities, TextWriter output)
    {
        var table = new TextTable("IDENTITY", "LABELS");
        foreach (var identity in identities)
        {
            table.Add(identity.Id.ToString(CultureInfo.InvariantCulture), string.Join('\n', identity.Labels));
        }
        table.WriteTo(output);
    }
}

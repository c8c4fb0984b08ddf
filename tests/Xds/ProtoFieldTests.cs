using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Google.Protobuf.Reflection;
using Postern.Xds.Fields;

namespace Postern.Tests.Xds;

/// <summary>Every field and enum value we declare is the public one: name, number, type, label and oneof.</summary>
public class ProtoFieldTests
{
    // Ours on purpose. The first is reserved upstream now; the others only gain presence, which is the same on the wire.
    private static readonly HashSet<string> Deviations =
    [
        "cilium.NetworkPolicy.conntrack_map_name",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.server_header_transformation",
        "envoy.extensions.filters.http.router.v3.Router.suppress_envoy_headers",
    ];

    private sealed record Row(int Number, string Label, string Type, string Oneof);

    [SharedFact("specs/envoy-fields.tsv")]
    public void EveryDeclaredField_IsThePublicOne()
    {
        var (rows, messages) = ReadRows();
        var problems = new List<string>();
        var fields = 0;
        foreach (var file in Files())
        {
            foreach (var type in file.MessageTypes)
            {
                fields += CheckMessage(type, rows, messages, problems);
            }
            foreach (var type in file.EnumTypes)
            {
                CheckEnum(type, rows, problems);
            }
        }
        Assert.Empty(problems);
        Assert.True(fields > 300, $"only {fields} fields");
    }

    /// <summary>What we declare and what <see cref="PublicFields"/> lists make up every public field of the messages we read.</summary>
    [SharedFact("specs/envoy-fields.tsv")]
    public void EveryPublicField_IsDeclaredOrListed()
    {
        var declared = new Dictionary<string, HashSet<int>>(StringComparer.Ordinal);
        foreach (var file in Files().Where(f => f.Package != "envoy.service.discovery.v3"))
        {
            foreach (var type in file.MessageTypes)
            {
                Collect(type, declared);
            }
        }
        var problems = new List<string>();
        var known = PublicFields.All.ToDictionary(f => (f.Message, f.Number), f => f.Name);
        foreach (var columns in File.ReadLines(SharedFiles.Find("specs/envoy-fields.tsv")!).Skip(1).Select(line => line.Split('\t')))
        {
            if (columns[3] != "ENUM" && int.TryParse(columns[1], out var number)
                && declared.TryGetValue(columns[0], out var numbers) && !numbers.Contains(number)
                && !(known.Remove((columns[0], number), out var name) && name == columns[2]))
            {
                problems.Add($"{columns[0]}.{columns[2]} = {number} is neither declared nor listed");
            }
        }
        Assert.Empty(problems);
        Assert.Empty(known); // listed, but not public or declared too
    }

    private static void Collect(MessageDescriptor type, Dictionary<string, HashSet<int>> declared)
    {
        declared[type.FullName] = type.Fields.InDeclarationOrder().Select(f => f.FieldNumber).ToHashSet();
        foreach (var nested in type.NestedTypes)
        {
            Collect(nested, declared);
        }
    }

    private static (Dictionary<string, Row> Rows, HashSet<string> Messages) ReadRows()
    {
        var rows = new Dictionary<string, Row>(StringComparer.Ordinal);
        var messages = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(SharedFiles.Find("specs/envoy-fields.tsv")!).Skip(1))
        {
            var columns = line.Split('\t');
            messages.Add(columns[0]);
            if (int.TryParse(columns[1], out var number))
            {
                rows[columns[0] + "." + columns[2]] = new Row(number, columns[3], columns[4], columns[5]);
            }
        }
        return (rows, messages);
    }

    private static IEnumerable<FileDescriptor> Files() =>
        typeof(Cilium.NetworkPolicy).Assembly.GetTypes()
            .Where(t => t.Name.EndsWith("Reflection", StringComparison.Ordinal) && t.GetProperty("Descriptor")?.PropertyType == typeof(FileDescriptor))
            .Select(t => (FileDescriptor)t.GetProperty("Descriptor")!.GetValue(null)!)
            .Where(f => f.Package != "google.rpc"); // of gRPC, not in the table

    private static int CheckMessage(MessageDescriptor type, Dictionary<string, Row> rows, HashSet<string> messages, List<string> problems)
    {
        if (type.GetOptions()?.MapEntry == true)
        {
            return 0;
        }
        if (!messages.Contains(type.FullName))
        {
            problems.Add($"{type.FullName} is not public");
        }
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            var name = type.FullName + "." + field.Name;
            if (!rows.TryGetValue(name, out var row))
            {
                if (!Deviations.Contains(name))
                {
                    problems.Add($"{name} is not public");
                }
                continue;
            }
            var label = field.IsMap ? "" : field.IsRepeated ? "repeated" : field.HasPresence && field.ContainingOneof is { IsSynthetic: true } ? "optional" : "";
            if (Deviations.Contains(name))
            {
                label = row.Label;
            }
            if (row.Number != field.FieldNumber || row.Label != label || row.Oneof != (field.RealContainingOneof?.Name ?? "") || !SameType(field, row.Type))
            {
                problems.Add($"{name} = {field.FieldNumber} {label} {TypeName(field)} {field.RealContainingOneof?.Name}, public: {row}");
            }
        }
        foreach (var nested in type.EnumTypes)
        {
            CheckEnum(nested, rows, problems);
        }
        return type.Fields.InDeclarationOrder().Count + type.NestedTypes.Sum(nested => CheckMessage(nested, rows, messages, problems));
    }

    private static void CheckEnum(EnumDescriptor type, Dictionary<string, Row> rows, List<string> problems)
    {
        foreach (var value in type.Values)
        {
            if (!rows.TryGetValue(type.FullName + "." + value.Name, out var row) || row.Number != value.Number || row.Label != "ENUM")
            {
                problems.Add($"{type.FullName}.{value.Name} = {value.Number}, public: {row}");
            }
        }
    }

    // The table names types relative to their package.
    private static bool SameType(FieldDescriptor field, string type) =>
        TypeName(field) is var name && (name == type || (field.FieldType is FieldType.Message or FieldType.Enum && name.EndsWith("." + type, StringComparison.Ordinal)));

    private static string TypeName(FieldDescriptor field) => field switch
    {
        { IsMap: true } => $"map<{TypeName(field.MessageType.FindFieldByNumber(1))},{TypeName(field.MessageType.FindFieldByNumber(2))}>",
        { FieldType: FieldType.Message } => field.MessageType.FullName,
        { FieldType: FieldType.Enum } => field.EnumType.FullName,
        _ => field.FieldType.ToString().ToLowerInvariant(),
    };
}

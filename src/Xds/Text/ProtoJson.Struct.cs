using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Xds.Text;

/// <content><c>google.protobuf.Struct</c>: free-form JSON, as in <c>node.metadata</c>.</content>
internal static partial class ProtoJson
{
    private static Struct ReadStruct(ConfigNode node, ConfigPath path)
    {
        RequireMap(node, Struct.Descriptor, path);
        var result = new Struct();
        foreach (var member in node.Members)
        {
            result.Fields.Add(member.Name, ReadValue(member.Value, path.Key(member.Name)));
        }
        return result;
    }

    private static Value ReadValue(ConfigNode node, ConfigPath path)
    {
        switch (node.Kind)
        {
            case ConfigNodeKind.Null:
                return Value.ForNull();
            case ConfigNodeKind.Bool:
                return Value.ForBool(node.Text == "true");
            case ConfigNodeKind.Number:
                return LooksLikeJsonNumber(node.Text)
                    && double.TryParse(node.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                    ? Value.ForNumber(number)
                    : throw path.Error($"expected a number, found {Found(node)}");
            case ConfigNodeKind.String:
                return Value.ForString(node.Text);
            case ConfigNodeKind.Map:
                return Value.ForStruct(ReadStruct(node, path));
            default:
                var list = new ListValue();
                for (var i = 0; i < node.Items.Count; i++)
                {
                    list.Values.Add(ReadValue(node.Items[i], path.Item(i)));
                }
                return new Value { ListValue = list };
        }
    }
}

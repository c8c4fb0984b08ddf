using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.IO;

namespace Postern.Xds.Fields;

/// <summary>
/// The public fields of the messages we read that our protos do not declare, and what becomes of one that a control plane sets:
/// <c>refused</c>, because without it traffic would be matched, judged or sent otherwise than meant, or <c>ignored</c>, because it only tunes.
/// </summary>
internal static class PublicFields
{
    private const string Resource = "Postern.Xds.Fields.public-fields.tsv";

    private static readonly FrozenDictionary<(string Message, int Number), PublicField> ByNumber;
    private static readonly FrozenDictionary<(string Message, string Name), PublicField> ByName;

    static PublicFields()
    {
        var numbers = new Dictionary<(string, int), PublicField>();
        var names = new Dictionary<(string, string), PublicField>();
        using var reader = new StreamReader(typeof(PublicFields).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException("not embedded: " + Resource));
        while (reader.ReadLine() is { } line)
        {
            var columns = line.Split('\t');
            var number = int.Parse(columns[1], System.Globalization.CultureInfo.InvariantCulture);
            var field = new PublicField(columns[0], number, columns[2], columns[3] == "ignored" ? FieldUse.Ignored : FieldUse.Refused);
            numbers.Add((field.Message, field.Number), field);
            names.Add((field.Message, field.Name), field);
        }
        ByNumber = numbers.ToFrozenDictionary();
        ByName = names.ToFrozenDictionary();
    }

    /// <summary>All.</summary>
    public static IEnumerable<PublicField> All => ByNumber.Values;

    /// <summary>By the message's full name and the field's number, or null.</summary>
    public static PublicField? Find(string message, int number) => ByNumber.GetValueOrDefault((message, number));

    /// <summary>By the message's full name and the field's name (snake_case), or null.</summary>
    public static PublicField? Find(string message, string name) => ByName.GetValueOrDefault((message, name));
}

/// <summary>One row.</summary>
internal sealed record PublicField(string Message, int Number, string Name, FieldUse Use);

/// <summary>What becomes of a field that is set.</summary>
internal enum FieldUse
{
    /// <summary>The resource is refused.</summary>
    Refused,

    /// <summary>A warning.</summary>
    Ignored,
}

using System;
using System.IO;

namespace Postern.Tests.Records;

/// <summary>Finds the test vectors that lie beside the checkout, in <c>../shared/cases</c>.</summary>
public static class SharedCases
{
    /// <summary>The file, or null where the folder is absent.</summary>
    public static string? Find(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", "cases", name);
            if (File.Exists(file))
            {
                return file;
            }
        }

        return null;
    }
}

/// <summary>A fact that needs a file this machine may lack; skipped with the reason when it does.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsFactAttribute : FactAttribute
{
    /// <summary>Needs an absolute path, or the name of a file in the shared vectors.</summary>
    public NeedsFactAttribute(string file)
    {
        if (Path.IsPathRooted(file) ? !File.Exists(file) : SharedCases.Find(file) is null)
        {
            Skip = $"{file} is not here (vectors are looked for in ../shared/cases beside the checkout)";
        }
    }
}
